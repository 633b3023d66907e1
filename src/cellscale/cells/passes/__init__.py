"""The passes over masks and channels: window by window, in bounded memory."""
