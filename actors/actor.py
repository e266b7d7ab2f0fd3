"""The decorator that makes a function a job type of a multi-tenant fleet."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any, ParamSpec, Protocol, TypeVar, overload

import dramatiq
from dramatiq import Broker, Message

from ..broker import current_job
from ..broker.errors import ConfigurationError, InvalidPayload, PermanentFailure
from ..middleware.payload import payload_of, validate_arguments
from .send_options import check_names, delay_ms, message_options, named_options
from .sender import Sender

P = ParamSpec("P")
R = TypeVar("R")

#: A rule over several arguments at once; raises ValueError with the sentence, or InvalidPayload with the field too.
Check = Callable[[Mapping[str, Any]], None]


class Actor(dramatiq.Actor[P, R]):
    """A Dramatiq actor whose jobs belong to a tenant and whose arguments are checked before they are sent.

    Parameters:
      check: a rule over several arguments, or None.
      The others are Dramatiq's.

    Raises:
      ConfigurationError: the function takes no ``tenant_id``, or takes arguments that cannot be given by name.
    """

    def __init__(
        self, fn: Callable[P, Awaitable[R]] | Callable[P, R], *, check: Check | None = None, **rest: Any
    ) -> None:
        _check_signature(fn)
        self.check = check
        super().__init__(fn, **rest)

    def message_with_options(
        self, *, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None, **options: Any
    ) -> Message[R]:
        """Build a message; every way of sending goes through here.

        Parameters:
          args: must be empty; a job's arguments are given by name.
          kwargs: the arguments of the job.
          **options: ``priority`` (1 to 9), ``idempotency_key`` and whatever the broker's middleware reads.

        Raises:
          InvalidPayload: an argument or an option is wrong; ``.field`` is its name.
        """
        piped = options.get("pipe_as")
        args, kwargs = validate_arguments(self.fn, args, kwargs or {}, without=piped)
        if self.check and piped is None:
            self._check_together(kwargs)
        return super().message_with_options(args=args, kwargs=kwargs, **message_options(self.broker, options))

    def send_with_options(
        self,
        *,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        delay: timedelta | int | None = None,
        **options: Any,
    ) -> Message[R]:
        """Send a job with options; see ``message_with_options``.

        Parameters:
          delay: milliseconds, or a timedelta, before the job may run.

        Raises:
          AdmissionError: the job was refused; nothing is stored.
        """
        return super().send_with_options(args=args, kwargs=kwargs, delay=delay_ms(delay), **options)

    def with_options(
        self,
        *,
        idempotency_key: str | None = None,
        priority: int | None = None,
        delay: timedelta | int | None = None,
        **options: Any,
    ) -> Sender[P, R]:
        """This actor with options for the sends that follow.

        >>> send_email.with_options(idempotency_key="order:17", priority=1).send(tenant_id=42, to=..., subject=...)

        Parameters:
          idempotency_key: jobs of one tenant and actor with the same key are one job.
          priority: 1 (first) to 9 (last) among the tenant's own jobs; 5 if not given.
          delay: milliseconds, or a timedelta, before the job may run.
          **options: other options that the broker's middleware reads.

        Raises:
          InvalidPayload: an option is wrong or unknown.
        """
        given = {"idempotency_key": idempotency_key, "priority": priority, **options}
        chosen = {name: value for name, value in given.items() if value is not None}
        check_names(self.broker, chosen)
        return Sender(self, delay=delay_ms(delay), options=message_options(self.broker, chosen))

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Run the function here and now, with each argument of the type that its annotation says.

        Raises:
          InvalidPayload: an argument is wrong; in a running job, whose message an older version may have sent, it is
            a ``PermanentFailure``, as no further attempt will find another message.
        """
        if args:
            return super().__call__(*args, **kwargs)
        try:
            values = payload_of(self.fn).typed(kwargs)
        except InvalidPayload as error:
            if current_job() is None:
                raise
            raise PermanentFailure(str(error)) from error
        return super().__call__(**values)  # type: ignore[call-arg]

    def _check_together(self, kwargs: Mapping[str, Any]) -> None:
        assert self.check
        try:
            self.check(kwargs)
        except ValueError as error:
            raise InvalidPayload(f"{self.fn.__name__}: {error}") from None


class ActorDecorator(Protocol):
    """What ``@actor(...)`` with options returns."""

    @overload
    def __call__(self, fn: Callable[P, Awaitable[R]]) -> Actor[P, R]: ...

    @overload
    def __call__(self, fn: Callable[P, R]) -> Actor[P, R]: ...


@overload
def actor(fn: Callable[P, Awaitable[R]]) -> Actor[P, R]: ...


@overload
def actor(fn: Callable[P, R]) -> Actor[P, R]: ...


@overload
def actor(
    *,
    queue_name: str = "default",
    actor_name: str | None = None,
    priority: int = 0,
    broker: Broker | None = None,
    check: Check | None = None,
    **options: Any,
) -> ActorDecorator: ...


def actor(
    fn: Callable[..., Any] | None = None,
    *,
    priority: int = 0,
    broker: Broker | None = None,
    check: Check | None = None,
    **options: Any,
) -> Any:
    """Declare a job type, as ``dramatiq.actor`` does.

    The function must take ``tenant_id``; arguments are sent by name and checked against its annotations in the
    caller. Time limit, attempts and backoff are those of its queue (see ``broker/queues.py``).

    >>> @actor(queue_name="report")
    ... def close_month(*, tenant_id: TenantId, month: date) -> int: ...
    >>> close_month.send(tenant_id=42, month=date(2026, 3, 1))

    Parameters:
      fn: the function, plain or async.
      priority: Dramatiq's own, among the jobs that one process has fetched; not that of ``with_options``.
      broker: whose actor it is; the global one if None.
      check: a rule over several arguments; raises ValueError with a sentence.
      **options: ``queue_name``, ``actor_name`` and the options of the broker's middleware.

    Raises:
      ConfigurationError: the function takes no ``tenant_id``, or takes arguments that cannot be given by name.
      ValueError: the queue's name or an option is wrong.
    """

    def declare(fn: Callable[..., Any]) -> Actor[..., Any]:
        owner = broker or dramatiq.get_broker()

        def build(fn: Callable[..., Any], **rest: Any) -> Actor[..., Any]:
            return Actor(fn, check=check, **rest)

        named = named_options(owner, {"store_results": True, **options})
        return dramatiq.actor(actor_class=build, broker=owner, priority=priority, **named)(fn)  # type: ignore[return-value]

    return declare if fn is None else declare(fn)


def _check_signature(fn: Callable[..., Any]) -> None:
    parameters = inspect.signature(fn).parameters
    name = getattr(fn, "__name__", repr(fn))
    for parameter in parameters.values():
        if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.VAR_POSITIONAL):
            raise ConfigurationError(f"{name}: {parameter} cannot be given by name, as a job's arguments are")
    tenant = parameters.get("tenant_id")
    if tenant is None or tenant.kind is tenant.VAR_KEYWORD:
        raise ConfigurationError(
            f"{name} takes no tenant_id; every job belongs to a tenant: def {name}(*, tenant_id: TenantId, ...)"
        )
    if tenant.default is not tenant.empty:
        raise ConfigurationError(f"{name}: tenant_id must have no default, so that no job forgets whose it is")
