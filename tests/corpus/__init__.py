"""Named snapshots, one for each rule and each trap of the contract, with expectations written by hand."""
