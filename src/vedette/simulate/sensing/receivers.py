"""Receivers of broadcasts among the planned sensors, in the form that the emitters know."""

from vedette.simulate.scenario import Receiver, Scenario
from vedette.simulate.sensing.catalogue import AdsbReceiver, RemoteIdReceiver, model_of
from vedette.simulate.sensing.plan import Sensor


def receivers_of(scenario: Scenario) -> tuple[Receiver, ...]:
    """All Remote ID receivers: ``[[receiver]]``, and those of ``[[sensor]]``."""
    planned = (_receiver(sensor) for sensor in scenario.sensors)
    return (*scenario.receivers, *(receiver for receiver in planned if receiver is not None))


def adsb_receivers_of(scenario: Scenario) -> tuple[tuple[Sensor, AdsbReceiver], ...]:
    """All receivers of 1090 MHz squitters."""
    found = []
    for sensor in scenario.sensors:
        model = model_of(sensor.model, sensor.override)
        if isinstance(model, AdsbReceiver):
            found.append((sensor, model))
    return tuple(found)


def _receiver(sensor: Sensor) -> Receiver | None:
    model = model_of(sensor.model, sensor.override)
    if not isinstance(model, RemoteIdReceiver):
        return None
    return Receiver(
        id=sensor.id,
        kind="remote-id",
        enu_m=sensor.enu_m,
        lat_deg=sensor.lat_deg,
        lon_deg=sensor.lon_deg,
        agl_m=sensor.agl_m,
        range_m=model.range_m,
        near_share=model.near_share,
        gain_dbi=model.gain_dbi,
        fading_db=model.fading_db,
    )
