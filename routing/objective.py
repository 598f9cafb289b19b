"""What a good plan is: money alone, or other ends before it or weighed against it.

The search minimises money. Other ends become money before it begins: a price on every kilogram of CO2, a dearer loss of
cold goods; and what is to come before all money gets a price no saving can reach. The plan that comes back is priced
by the true rates again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from geodata.matrix import UNREACHABLE_S
from routing.model.carrier import Drone, Vehicle
from routing.model.emissions import DIESEL_CO2_KG_PER_L, DIESEL_WH_PER_L, GRID_CO2_KG_PER_KWH
from routing.model.problem import Problem

ENDS = ("served", "vehicles")
"""What may come before money: as many orders served as possible; as few vehicles, couriers and drones as possible.

An order is never left out to save a carrier.
"""
_SPEED_KM_H = 60.0
"""No vehicle of a mountain county averages more over a day; bounds what its kilometres can cost."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What counts beside money.

    Parameters
    ----------
    first
        Ends that come before money; see `ENDS`.
    co2_per_kg
        Price of a kilogram of CO2, minor units.
    cold_loss
        Factor on the value of cold goods that spoil; 1 is their value.
    """

    first: tuple[str, ...] = ()
    co2_per_kg: float = 0.0
    cold_loss: float = 1.0

    @property
    def money_alone(self) -> bool:
        """True when a plan is judged by its cost and nothing else."""
        return not self.first and self.co2_per_kg == 0.0 and self.cold_loss == 1.0


def weigh(problem: Problem, preferences: Preferences) -> Problem:
    """Return the problem with prices that make the cheapest plan the preferred one; the plans allowed are the same."""
    if preferences.money_alone:
        return problem
    weighed = replace(
        problem,
        rates=replace(
            problem.rates,
            electricity_per_kwh=problem.rates.electricity_per_kwh + preferences.co2_per_kg * GRID_CO2_KG_PER_KWH,
            diesel_per_kwh=problem.rates.diesel_per_kwh
            + preferences.co2_per_kg * DIESEL_CO2_KG_PER_L * 1_000.0 / DIESEL_WH_PER_L,
        ),
        orders=tuple(replace(order, value=order.value * preferences.cold_loss) for order in problem.orders),
    )
    if "vehicles" in preferences.first:
        weighed = _save_carriers_first(weighed)
    return _serve_first(weighed) if preferences.first else weighed


def _serve_first(problem: Problem) -> Problem:
    """Make leaving an order out dearer than the dearest day a carrier of its own could have."""
    dearest = _dearest_day(problem)
    loss = max((order.value for order in problem.orders), default=0.0)
    orders = tuple(replace(order, unserved_cost=order.unserved_cost + dearest + loss) for order in problem.orders)
    return replace(problem, orders=orders)


def _save_carriers_first(problem: Problem) -> Problem:
    """Make using a carrier dearer than all that any carrier can cost in a day."""
    price = _dearest_day(problem)
    vehicles = tuple(
        replace(vehicle, type=replace(vehicle.type, fixed_cost=vehicle.type.fixed_cost + price))
        for vehicle in problem.vehicles
    )
    drones = tuple(
        replace(drone, service=replace(drone.service, fixed_cost=drone.service.fixed_cost + price))
        for drone in problem.drones
    )
    return replace(problem, vehicles=vehicles, drones=drones)


def _dearest_day(problem: Problem) -> float:
    costs = [_day_cost(problem, vehicle) for vehicle in problem.vehicles]
    return max(costs + [_day_cost(problem, drone) for drone in problem.drones], default=0.0)


def _day_cost(problem: Problem, carrier: Vehicle | Drone) -> float:
    """Return a bound on what one carrier can cost in a day: its hours, its kilometres, its energy."""
    if isinstance(carrier, Drone):
        service = carrier.service
        hours = (service.shift_end_s - service.shift_start_s) / 3600.0
        sorties = hours * 3600.0 / max(60.0, float(service.physics.turnaround_s))
        energy = sorties * service.physics.battery_wh / 1_000.0 * problem.rates.electricity_per_kwh
        return service.fixed_cost + hours * service.cost_per_h + sorties * service.cost_per_sortie + energy
    kind = carrier.type
    hours = (kind.shift_end_s - kind.shift_start_s) / 3600.0
    km = kind.max_drive_s / 3600.0 * _SPEED_KM_H
    matrix = problem.matrices[carrier.travel]
    usable = (matrix.duration_s < UNREACHABLE_S) & (matrix.distance_m > 0)
    wh_per_km = float((matrix.energy_wh[usable] / matrix.distance_m[usable]).max(initial=0.0)) * 1_000.0
    energy = km * wh_per_km / 1_000.0 * problem.rates.energy_price(kind.energy_source)
    return kind.fixed_cost + hours * kind.cost_per_h + km * kind.cost_per_km + energy
