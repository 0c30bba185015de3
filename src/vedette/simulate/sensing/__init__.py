"""Simulated sensors: what each of them makes of the simulated world, and what reaches the station.

`catalogue` says how good they are, `physics` what follows from it for a target at a range, `plan` where
they stand and what is wrong with them, `detections` what arrives.
"""
