"""Between two RTP streams: hearing, taking turns, speaking, forwarding. Knows no HTTP and no database."""
