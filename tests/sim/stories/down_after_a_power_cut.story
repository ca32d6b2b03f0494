# Nodes that waited for their turn to be stopped were believed serving after all of them had died (I21).
seed 20051
up 571ms isolate 211 for 7426ms
up 2444ms kill_root 780 for 0ms
up 762ms kill_root 982 for 0ms
up 3996ms kill_root 522 for 0ms
steady 6768ms cut 351 for 18224ms
steady 16171ms double_words 218 for 9918ms
steady 5728ms reboot 487 for 17166ms
steady 786ms kill_root 383 for 0ms
down 3589ms kill_root 481 for 0ms
down 209ms power_cut 512 for 0ms
down 1987ms isolate 545 for 2012ms
