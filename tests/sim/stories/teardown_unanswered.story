# STUCK did not go down: a master was killed before it answered a TEARDOWN, and the next one was not asked.
seed 52266
up 517ms double_words 583 for 12177ms
up 1940ms deaf 350 for 13182ms
up 805ms kill_agent 491 for 0ms
up 2732ms kill_master 741 for 0ms
steady 2726ms kill_agent 654 for 0ms
steady 9163ms double_words 679 for 14192ms
down 208ms kill_master 945 for 0ms
