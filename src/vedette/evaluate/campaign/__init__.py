"""`vedette evaluate`: encounters by the hundred through the real core, and what became of the people in them.

``items`` says what is run, ``stage`` builds it, ``watch`` drives the core through it, ``outcome`` measures,
``executor`` spreads it over processes, ``summary`` adds it up. Docs: evaluation.md.
"""
