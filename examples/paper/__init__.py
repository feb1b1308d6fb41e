"""Every table and figure of the paper, one command each."""
