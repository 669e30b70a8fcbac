"""HJ 212: how environmental monitoring stations report to a platform, in the editions of 2005, 2017 and 2025 on one port.

The codec is sans-io: `frame` (bytes -> frames), `packet` (segment -> fields), `crypto` (2025), `answers` (what to say back), `observations` (what was
observed). `process` is the listener: answers leave only after JetStream has acknowledged what they answer. `station` is the other side of the wire.

Sources: HJ 212-2017 (official text; its appendix B for factor codes in factors.csv, a05024 and others of HJ 524 are added by declarations); HJ 212-2025
as quoted with page numbers by public implementations, its printed vectors recomputed; HJ/T 212-2005 as real packets show it.
"""
