# What had served, had to wait for its needs and was launched anew went from launching to degraded: the root ended itself.
seed 20188
up 1118ms kill_child 417 for 0ms
up 520ms kill_master 286 for 0ms
up 2236ms power_cut 24 for 0ms
