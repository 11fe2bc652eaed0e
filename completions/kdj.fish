complete --keep-order --exclusive --command kdj --arguments "(COMPLETE=fish kdj -- (commandline --current-process --tokenize --cut-at-cursor) (commandline --current-token))"
