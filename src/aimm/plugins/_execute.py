"""The bodies of ``exec_*`` and of their awaitable twins: find the route, call it.

The synchronous bodies repeat each other on purpose: they are the hot path, and one more Python call costs as much as
the whole look-up. So do the forms of the plugin call in them. Star arguments cost three times a plain call, so the
common calls go without them: up to two arguments, by position or under the names of the first two parameters. Where
they do not, ``(instance,) + args`` costs half of ``(instance, *args)``, which goes through a list.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aimm._types import ROUTED, ByteString, StateCallbackOrNone, ignore_state
from aimm.errors import AimmError
from aimm.plugins._routes import Entry, Route, check_bytes, explain, refused


class Calls:
    """Base of the manager: every action by name. What finds an owner is left to the manager.

    ``self`` is positional-only throughout, for a plugin may take a keyword argument of that name.
    """

    # Slots, because an attribute becomes slow to read once anybody has looked at its object's dictionary.
    __slots__ = ("_data_access", "_deserialize", "_fit", "_instantiate", "_predict", "_serialize", "_tables")

    def __init__(self) -> None:
        self._tables: Mapping[str, dict[str, Entry]] = {kind: {} for kind in ROUTED}
        self._data_access = self._tables["data_access"]
        self._instantiate = self._tables["instantiate"]
        self._fit = self._tables["fit"]
        self._predict = self._tables["predict"]
        self._serialize = self._tables["serialize"]
        self._deserialize = self._tables["deserialize"]

    def _bind(self, entry: Entry) -> None:
        """Find the owner of an entry and set it, and see that its table has one; raises if there is none."""
        raise NotImplementedError

    def _entry(self, action: str, name: str) -> Entry:
        """The entry of an (action, name) that is not in the table yet."""
        try:
            self._bind(Entry(action, name, self._bind))
        except AimmError as error:
            error.__suppress_context__ = True  # the KeyError that led here tells nobody anything
            raise
        return self._tables[action][name]

    def exec_data_access(
        self, /, name: str, state_cb: StateCallbackOrNone = ignore_state, *args: Any, **kwargs: Any
    ) -> Any:
        """Use a loaded plugin to access data.

        Args:
            name: Name of the data access.
            state_cb: Receives the states that the plugin reports; None for nobody.
            *args: Positional arguments for the plugin.
            **kwargs: Keyword arguments for the plugin.

        Returns:
            What the plugin returns.

        Raises:
            PluginNotFoundError: Nobody owns this name.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
            StateCallbackError: ``state_cb`` cannot be called.
        """
        try:
            entry = self._data_access[name]
        except (KeyError, TypeError):
            entry = self._entry("data_access", name)
        if state_cb is not ignore_state and state_cb is not None and not callable(state_cb):
            raise refused(state_cb, entry)
        plain = entry.plain
        if plain is None:
            return entry.invoke(None, ignore_state if state_cb is None else state_cb, args, kwargs)
        try:
            if kwargs:
                if args:
                    return plain(*args, **kwargs)
                first, _, function = entry.named
                if first in kwargs and len(kwargs) == 1:
                    return function(kwargs[first])
                return plain(**kwargs)
            if len(args) == 1:
                return plain(args[0])
            return plain(*args) if args else plain()
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def exec_instantiate(
        self, /, model_type: str, state_cb: StateCallbackOrNone = ignore_state, *args: Any, **kwargs: Any
    ) -> Any:
        """Use a loaded plugin to create a model instance.

        Args:
            model_type: Name of the model type.
            state_cb: Receives the states that the plugin reports; None for nobody.
            *args: Positional arguments for the plugin.
            **kwargs: Keyword arguments for the plugin.

        Returns:
            The new instance.

        Raises:
            PluginNotFoundError: Nobody owns this model type.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
            StateCallbackError: ``state_cb`` cannot be called.
        """
        try:
            entry = self._instantiate[model_type]
        except (KeyError, TypeError):
            entry = self._entry("instantiate", model_type)
        if state_cb is not ignore_state and state_cb is not None and not callable(state_cb):
            raise refused(state_cb, entry)
        plain = entry.plain
        if plain is None:
            return entry.invoke(None, ignore_state if state_cb is None else state_cb, args, kwargs)
        try:
            if kwargs:
                if args:
                    return plain(*args, **kwargs)
                first, _, function = entry.named
                if first in kwargs and len(kwargs) == 1:
                    return function(kwargs[first])
                return plain(**kwargs)
            if len(args) == 1:
                return plain(args[0])
            return plain(*args) if args else plain()
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def exec_fit(
        self,
        /,
        model_type: str,
        instance: Any,
        state_cb: StateCallbackOrNone = ignore_state,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Use a loaded plugin to fit a model instance.

        Args:
            model_type: Name of the model type.
            instance: The instance to fit.
            state_cb: Receives the states that the plugin reports; None for nobody. It stands before the data.
            *args: Positional arguments for the plugin.
            **kwargs: Keyword arguments for the plugin.

        Returns:
            The fitted instance, as the plugin returns it.

        Raises:
            PluginNotFoundError: Nobody owns this model type.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
            StateCallbackError: ``state_cb`` cannot be called.
            ArgumentTwiceError: The caller gave the instance or the state callback a second time.
        """
        try:
            entry = self._fit[model_type]
        except (KeyError, TypeError):
            entry = self._entry("fit", model_type)
        if state_cb is not ignore_state and state_cb is not None and not callable(state_cb):
            raise refused(state_cb, entry)
        plain = entry.plain
        if plain is None:
            return entry.invoke(instance, ignore_state if state_cb is None else state_cb, args, kwargs)
        try:
            if kwargs:
                if args:
                    return plain(*(instance,) + args, **kwargs)  # noqa: RUF005
                first, second, function = entry.named
                if first in kwargs:
                    if len(kwargs) == 1:
                        return function(instance, kwargs[first])
                    if second in kwargs and len(kwargs) == 2:
                        return function(instance, kwargs[first], kwargs[second])
                return plain(instance, **kwargs)
            match args:
                case (one,):
                    return plain(instance, one)
                case (one, two):
                    return plain(instance, one, two)
            return plain(*(instance,) + args)  # noqa: RUF005
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def exec_predict(
        self,
        /,
        model_type: str,
        instance: Any,
        state_cb: StateCallbackOrNone = ignore_state,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[Any, Any]:
        """Use a loaded plugin to perform a prediction with a given model instance.

        Args:
            model_type: Name of the model type.
            instance: The instance to predict with.
            state_cb: Receives the states that the plugin reports; None for nobody. It stands before the data.
            *args: Positional arguments for the plugin.
            **kwargs: Keyword arguments for the plugin.

        Returns:
            The very instance passed in, because it might be altered during the prediction, e.g. with reinforcement
            learning models; and the prediction.

        Raises:
            PluginNotFoundError: Nobody owns this model type.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
            StateCallbackError: ``state_cb`` cannot be called.
            ArgumentTwiceError: The caller gave the instance or the state callback a second time.
        """
        try:
            entry = self._predict[model_type]
        except (KeyError, TypeError):
            entry = self._entry("predict", model_type)
        if state_cb is not ignore_state and state_cb is not None and not callable(state_cb):
            raise refused(state_cb, entry)
        plain = entry.plain
        if plain is None:
            return instance, entry.invoke(instance, ignore_state if state_cb is None else state_cb, args, kwargs)
        try:
            if kwargs:
                if args:
                    return instance, plain(*(instance,) + args, **kwargs)  # noqa: RUF005
                first, second, function = entry.named
                if first in kwargs:
                    if len(kwargs) == 1:
                        return instance, function(instance, kwargs[first])
                    if second in kwargs and len(kwargs) == 2:
                        return instance, function(instance, kwargs[first], kwargs[second])
                return instance, plain(instance, **kwargs)
            match args:
                case (one,):
                    return instance, plain(instance, one)
                case (one, two):
                    return instance, plain(instance, one, two)
            return instance, plain(*(instance,) + args)  # noqa: RUF005
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def exec_serialize(self, /, model_type: str, instance: Any) -> ByteString:
        """Use a loaded plugin to convert a model instance into bytes.

        Args:
            model_type: Name of the model type.
            instance: The instance.

        Returns:
            Its bytes. What is not bytes-like is handed on with a :class:`PluginContractWarning`.

        Raises:
            PluginNotFoundError: Nobody owns this model type.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
        """
        try:
            entry = self._serialize[model_type]
        except (KeyError, TypeError):
            entry = self._entry("serialize", model_type)
        plain = entry.plain
        if plain is None:
            result = entry.invoke(instance, ignore_state, (), {})
        else:
            try:
                result = plain(instance)
            except BaseException as error:
                explain(error, entry, plain)
                raise
        return result if type(result) is bytes else check_bytes(result, entry)

    def exec_deserialize(self, /, model_type: str, instance_bytes: ByteString) -> Any:
        """Use a loaded plugin to convert bytes into a model instance.

        Args:
            model_type: Name of the model type.
            instance_bytes: What ``exec_serialize`` returned.

        Returns:
            The instance.

        Raises:
            PluginNotFoundError: Nobody owns this model type.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
        """
        try:
            entry = self._deserialize[model_type]
        except (KeyError, TypeError):
            entry = self._entry("deserialize", model_type)
        plain = entry.plain
        if plain is None:
            return entry.invoke(instance_bytes, ignore_state, (), {})
        try:
            return plain(instance_bytes)
        except BaseException as error:
            explain(error, entry, plain)
            raise

    def route(self, model_type: str) -> Route:
        """Resolve a model type once, for hot loops.

        Args:
            model_type: Name of the model type.

        Returns:
            A handle with the five actions; it sees plugins and wrappers that come or go later.

        Raises:
            PluginNotFoundError: Nobody owns this model type.
            PluginConflictError: Two plugins do.
            PluginUnavailableError: Its owner is broken.
        """
        raise NotImplementedError

    async def aexec_data_access(
        self, /, name: str, state_cb: StateCallbackOrNone = ignore_state, *args: Any, **kwargs: Any
    ) -> Any:
        """Await :meth:`exec_data_access`, which runs in a thread; so does the state callback."""
        return await _in_thread(self.exec_data_access, name, state_cb, *args, **kwargs)

    async def aexec_instantiate(
        self, /, model_type: str, state_cb: StateCallbackOrNone = ignore_state, *args: Any, **kwargs: Any
    ) -> Any:
        """Await :meth:`exec_instantiate`, which runs in a thread; so does the state callback."""
        return await _in_thread(self.exec_instantiate, model_type, state_cb, *args, **kwargs)

    async def aexec_fit(
        self,
        /,
        model_type: str,
        instance: Any,
        state_cb: StateCallbackOrNone = ignore_state,
        *args: Any,
        **kwargs: Any,
    ) -> Any:
        """Await :meth:`exec_fit`, which runs in a thread; so does the state callback."""
        return await _in_thread(self.exec_fit, model_type, instance, state_cb, *args, **kwargs)

    async def aexec_predict(
        self,
        /,
        model_type: str,
        instance: Any,
        state_cb: StateCallbackOrNone = ignore_state,
        *args: Any,
        **kwargs: Any,
    ) -> tuple[Any, Any]:
        """Await :meth:`exec_predict`, which runs in a thread; so does the state callback."""
        both: tuple[Any, Any] = await _in_thread(self.exec_predict, model_type, instance, state_cb, *args, **kwargs)
        return both

    async def aexec_serialize(self, /, model_type: str, instance: Any) -> ByteString:
        """Await :meth:`exec_serialize`, which runs in a thread."""
        content: ByteString = await _in_thread(self.exec_serialize, model_type, instance)
        return content

    async def aexec_deserialize(self, /, model_type: str, instance_bytes: ByteString) -> Any:
        """Await :meth:`exec_deserialize`, which runs in a thread."""
        return await _in_thread(self.exec_deserialize, model_type, instance_bytes)


async def _in_thread(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    import asyncio

    def attempt() -> tuple[Any, StopIteration | None]:
        # A future refuses StopIteration, and whoever waits for it would wait for ever.
        try:
            return function(*args, **kwargs), None
        except StopIteration as error:
            return None, error

    result, error = await asyncio.to_thread(attempt)
    if error is not None:
        raise RuntimeError(f"the plugin raised StopIteration: {error}") from error
    return result
