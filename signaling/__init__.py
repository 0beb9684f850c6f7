"""What browsers and gateway say to each other. Knows no audio, no aiortc, no database."""
