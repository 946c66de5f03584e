"""A plugin host of one environment: follows the rows, keeps versions loaded, answers calls."""
