# What an attach executes: until its terminal is raw, the keys that end a process would end it, and not the program.
trap '' INT QUIT
