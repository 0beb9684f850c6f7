"""Other ways in: WeChat, phone."""
