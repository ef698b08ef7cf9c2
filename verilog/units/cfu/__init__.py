"""Units as custom function units: commands, what they do, and the module Cfu."""
