# STUCK did not heal: an agent came back to a master that had been restarted, and its tasks stayed unreachable
seed 23
steady 3164ms deaf 51 for 19840ms
steady 19587ms kill_master 287 for 0ms
steady 15590ms deaf 931 for 19435ms
