"""The checks of the machinery: what waits, what runs, who is told, what time it is."""

from datetime import timedelta
from typing import Final

from quota_enforcer import clock
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis
from quota_enforcer.doctor.rules import backlog, clocks, triggers
from quota_enforcer.doctor.rules import notices as telling
from quota_enforcer.doctor.rules.backlog import Asked, Queues
from quota_enforcer.doctor.rules.machinery import Sweeps, last_sweep
from quota_enforcer.doctor.rules.triggers import MappingFound, ScheduleWanted

ALARM: Final = "AWS::CloudWatch::Alarm"
FUNCTION: Final = "AWS::Lambda::Function"
MAPPING: Final = "AWS::Lambda::EventSourceMapping"
TICK: Final = '{"action": "sweep", "scheduled_time": "<aws.scheduler.scheduled-time>"}'
RECOUNT: Final = '{"action": "recount"}'
ON_THE_HOUR: Final = "cron(15 * * * ? *)"


def dead_letters(patient: DeploymentUnderCheck) -> Diagnosis:
    """What was given up."""
    meter, enforcer = patient.part("MeterDeadLetters"), patient.part("EnforcerDeadLetters")
    waiting = patient.probe.waiting
    return backlog.dead_letters(Queues(meter, waiting(meter), enforcer, waiting(enforcer)))


def recounts(patient: DeploymentUnderCheck) -> Diagnosis:
    """The hours that wait to be set from the log."""
    asked = [Asked(each.hour, each.asked) for each in patient.probe.recounts()]
    return backlog.recounts(asked, patient.now)


def sweep(patient: DeploymentUnderCheck) -> Diagnosis:
    """The last sweep."""
    state = patient.state()
    return last_sweep(
        Sweeps(
            patient.now,
            state.started,
            state.finished,
            timedelta(minutes=_minutes(patient)),
            closed=state.closed,
            log=patient.log_of("enforcer"),
        )
    )


def schedules(patient: DeploymentUnderCheck) -> Diagnosis:
    """What has sweeps and recounts begin."""
    wanted = [
        _schedule(patient, "Enforcer", f"cron(0/{_minutes(patient)} * * * ? *)", TICK),
        _schedule(patient, "Meter", ON_THE_HOUR, RECOUNT),
    ]
    return triggers.schedules([(each, patient.probe.schedule(each.name)) for each in wanted])


def _schedule(
    patient: DeploymentUnderCheck, whose: str, expression: str, event: str
) -> ScheduleWanted:
    function = patient.part(f"{whose}Function")
    return ScheduleWanted(
        f"{whose}Schedule",
        patient.part(f"{whose}Schedule"),
        expression,
        patient.arn("lambda", f"function:{function}"),
        patient.role(f"{whose}ScheduleRole"),
        event,
    )


def functions(patient: DeploymentUnderCheck) -> Diagnosis:
    """The functions that do the work."""
    names = [part.id for part in patient.parts().values() if part.type == FUNCTION]
    found = [patient.probe.function(name) for name in names]
    return triggers.functions(found, patient.settings.stack)


def event_sources(patient: DeploymentUnderCheck) -> Diagnosis:
    """What feeds functions, such as the stream of a table."""
    found = [
        MappingFound(name, part.id, patient.probe.mapping_state(part.id))
        for name, part in patient.parts().items()
        if part.type == MAPPING
    ]
    return triggers.mappings(found, patient.settings.stack)


def alarms(patient: DeploymentUnderCheck) -> Diagnosis:
    """The stack's alarms."""
    names = {part: each.id for part, each in patient.parts().items() if each.type == ALARM}
    found = patient.probe.alarms(list(names.values()))
    return telling.alarms(
        {part: found.get(name) for part, name in names.items()}, patient.settings.stack
    )


def notices(patient: DeploymentUnderCheck) -> Diagnosis:
    """Who gets them."""
    return telling.listeners(patient.probe.listeners())


def clock_and_zone(patient: DeploymentUnderCheck) -> Diagnosis:
    """This machine's clock, and where days begin."""
    ahead = clock.now() - patient.probe.server_time()
    settings = patient.settings
    return clocks.clocks(ahead, settings.zone.key, patient.meter().zone.key, settings.stack)


def _minutes(patient: DeploymentUnderCheck) -> int:
    return int(patient.parameters().get("SweepMinutes") or 5)
