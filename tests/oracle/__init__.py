"""A second, independent reading of the contract: slow, plain, and sharing no code with the platform."""
