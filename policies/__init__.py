"""What a policy means. Pure: no I/O, no clock, no chance; everything needed comes in as an argument."""
