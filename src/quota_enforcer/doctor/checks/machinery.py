"""The checks of the machinery: what waits, what runs, who gets notices, what time it is."""

from datetime import timedelta
from typing import Final

from quota_enforcer import clock
from quota_enforcer.doctor.deployment import DeploymentUnderCheck
from quota_enforcer.doctor.finding import Diagnosis
from quota_enforcer.doctor.rules import backlog, machinery
from quota_enforcer.doctor.rules import notices as notice_rules
from quota_enforcer.doctor.rules.backlog import Queues, RecountAsked
from quota_enforcer.doctor.rules.machinery import MappingFound, ScheduleWanted, Sweeps, last_sweep

ALARM: Final = "AWS::CloudWatch::Alarm"
FUNCTION: Final = "AWS::Lambda::Function"
MAPPING: Final = "AWS::Lambda::EventSourceMapping"
TICK: Final = '{"action": "sweep", "scheduled_time": "<aws.scheduler.scheduled-time>"}'
RECOUNT: Final = '{"action": "recount"}'
ON_THE_HOUR: Final = "cron(15 * * * ? *)"


def dead_letters(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether anything is in a dead-letter queue."""
    meter, enforcer = deployment.part("MeterDeadLetters"), deployment.part("EnforcerDeadLetters")
    waiting = deployment.probe.waiting
    return backlog.dead_letters(Queues(meter, waiting(meter), enforcer, waiting(enforcer)))


def recounts(deployment: DeploymentUnderCheck) -> Diagnosis:
    """The hours that wait for a recount."""
    asked = [RecountAsked(each.hour, each.asked) for each in deployment.probe.recounts()]
    return backlog.recounts(asked, deployment.now)


def sweep(deployment: DeploymentUnderCheck) -> Diagnosis:
    state = deployment.state()
    return last_sweep(
        Sweeps(
            deployment.now,
            state.started,
            state.finished,
            timedelta(minutes=_minutes(deployment)),
            closed=state.closed,
            log=deployment.log_of("enforcer"),
        )
    )


def schedules(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Whether the schedules of sweeps and recounts are as the template made them."""
    wanted = [
        _schedule(deployment, "Enforcer", f"cron(0/{_minutes(deployment)} * * * ? *)", TICK),
        _schedule(deployment, "Meter", ON_THE_HOUR, RECOUNT),
    ]
    return machinery.schedules([(each, deployment.probe.schedule(each.name)) for each in wanted])


def _schedule(
    deployment: DeploymentUnderCheck, whose: str, expression: str, event: str
) -> ScheduleWanted:
    function = deployment.part(f"{whose}Function")
    return ScheduleWanted(
        f"{whose}Schedule",
        deployment.part(f"{whose}Schedule"),
        expression,
        deployment.arn("lambda", f"function:{function}"),
        deployment.role(f"{whose}ScheduleRole"),
        event,
    )


def functions(deployment: DeploymentUnderCheck) -> Diagnosis:
    names = [part.id for part in deployment.parts().values() if part.type == FUNCTION]
    found = [deployment.probe.function(name) for name in names]
    return machinery.functions(found, deployment.settings.stack)


def event_sources(deployment: DeploymentUnderCheck) -> Diagnosis:
    """The event source mappings, such as of a table's stream."""
    found = [
        MappingFound(name, part.id, deployment.probe.mapping_state(part.id))
        for name, part in deployment.parts().items()
        if part.type == MAPPING
    ]
    return machinery.mappings(found, deployment.settings.stack)


def alarms(deployment: DeploymentUnderCheck) -> Diagnosis:
    names = {part: each.id for part, each in deployment.parts().items() if each.type == ALARM}
    found = deployment.probe.alarms(list(names.values()))
    return notice_rules.alarms(
        {part: found.get(name) for part, name in names.items()}, deployment.settings.stack
    )


def notices(deployment: DeploymentUnderCheck) -> Diagnosis:
    """Who gets notices."""
    return notice_rules.listeners(deployment.probe.listeners())


def clock_and_zone(deployment: DeploymentUnderCheck) -> Diagnosis:
    """This machine's clock, and where days begin."""
    ahead = clock.now() - deployment.probe.server_time()
    settings = deployment.settings
    return machinery.clocks(ahead, settings.zone.key, deployment.meter().zone.key, settings.stack)


def _minutes(deployment: DeploymentUnderCheck) -> int:
    return int(deployment.parameters().get("SweepMinutes") or 5)
