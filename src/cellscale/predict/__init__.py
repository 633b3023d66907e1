"""From the network's input to its maps: tiles, the network, blending."""
