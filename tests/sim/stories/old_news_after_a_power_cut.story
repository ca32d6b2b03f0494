# An agent said again, after the power cut, what its executor had reported before it: believed, dependants started (I21).
seed 20792
up 26ms power_cut 699 for 0ms
