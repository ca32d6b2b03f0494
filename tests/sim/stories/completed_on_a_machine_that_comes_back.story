# STUCK: a completed node of a machine that was away is asked again, else nothing that needs it starts.
seed 20129
up 511ms slow_disk 218 for 7082ms
up 3209ms isolate 550 for 37760ms
