"""Look-ups and acts for a customer, behind one typed port; identity comes from the connection."""

from gateway.dialogue.tools.desk import Desk
from gateway.dialogue.tools.port import Caller, Shop

__all__ = ["Caller", "Desk", "Shop"]
