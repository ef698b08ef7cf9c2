"""The bench that judges operators against real arithmetic."""
