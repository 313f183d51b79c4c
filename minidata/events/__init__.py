"""Events: the inbox that the store writes into, the relay that fills it, and the trigger that wakes the DAG."""
