# good: one kill of each daemon while everything serves
seed 4
plain
steady 1000ms kill_master 0 for 0ms
steady 3000ms kill_agent 1 for 0ms
steady 6000ms kill_root 0 for 0ms
