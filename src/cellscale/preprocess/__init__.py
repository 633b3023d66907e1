"""From raw channels to the network's input: statistics, rescaling, equalisation."""
