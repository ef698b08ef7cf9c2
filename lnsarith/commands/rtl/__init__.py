"""lnsarith rtl list|gen|lint|sim|prove|synth|trainer."""
