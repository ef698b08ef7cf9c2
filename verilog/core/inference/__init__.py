"""The inference core: its schedule, its sequencers, its datapath."""
