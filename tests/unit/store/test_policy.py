"""Signatures, size limits and policy files: what a host demands is what it gets."""

from collections.abc import Callable
from pathlib import Path

import pytest

from aimm import plugins, store
from aimm.errors import ConfigError, DamagedFileError, ModelTooLargeError, SignatureError
from aimm.store import _policy
from store_faults import manager

HOST = manager()
KEYS = {"ci": b"k" * 32, "release": b"r" * 32}
SIGNING = store.Policy(keys=KEYS, sign_with="ci")
STRICT = store.Policy(keys=KEYS, require_signature=True)
PREFIX = 46


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    """A model file signed with ``ci``."""
    path = tmp_path / "signed.aimm"
    store.save_model(path, "x", b"weights", policy=SIGNING, manager=HOST)
    return path


@pytest.fixture
def unsigned(tmp_path: Path) -> Path:
    """A model file without a signature."""
    path = tmp_path / "unsigned.aimm"
    store.save_model(path, "x", b"weights", manager=HOST)
    return path


def test_a_signed_file_is_loaded(signed: Path) -> None:
    """Its header names the key; it loads where that is known, and where nobody asks."""
    assert store.read_header(signed).signed_by == "ci"
    for policy in (STRICT, store.Policy(keys=KEYS), store.Policy(), None):
        assert store.load_model(signed, policy=policy, manager=HOST)[1] == b"weights"


def test_a_required_signature_that_is_missing(unsigned: Path) -> None:
    """An unsigned file is refused where a signature is required, and only there."""
    assert store.load_model(unsigned, policy=store.Policy(keys=KEYS), manager=HOST)[1] == b"weights"
    with pytest.raises(SignatureError, match="it is not signed, and the policy of this host requires a signature"):
        store.open_model(unsigned, policy=STRICT)


def test_the_old_format_has_no_signature(signed: Path) -> None:
    """Files of the first format are refused where a signature is required."""
    golden = Path(__file__).parent / "golden" / "format-1.aimm"
    with pytest.raises(SignatureError, match="it is not signed"):
        store.open_model(golden, policy=STRICT)


def test_another_key_of_the_same_name(signed: Path) -> None:
    """A signature made with another key does not count."""
    other = store.Policy(keys={"ci": b"z" * 32})
    with pytest.raises(SignatureError, match="its signature does not match the key 'ci': it is forged or altered"):
        store.open_model(signed, policy=other)


def test_a_key_that_this_host_does_not_have(signed: Path) -> None:
    """The key is named, and those that there are."""
    other = store.Policy(keys={"release": b"r" * 32})
    with pytest.raises(SignatureError, match="it is signed with key 'ci', this host has: release"):
        store.open_model(signed, policy=other)


@pytest.mark.parametrize(
    ("forge", "error", "message"),
    [
        (lambda c: c[:PREFIX] + bytes(32) + c[PREFIX + 32 :], DamagedFileError, "its signature was altered"),
        (lambda c: c[:PREFIX] + b"\1" * 32 + c[PREFIX + 32 :], SignatureError, "its signature does not match the key"),
        (lambda c: c[:-1] + b"!", DamagedFileError, "its payload was altered"),
    ],
    ids=["taken away", "invented", "payload"],
)
def test_a_forged_signature(
    signed: Path, forge: Callable[[bytes], bytes], error: type[Exception], message: str
) -> None:
    """A signature that is taken away, invented, or stands over something else is found out."""
    signed.write_bytes(forge(signed.read_bytes()))
    with pytest.raises(error, match=message):
        store.open_model(signed, policy=STRICT)


def test_a_signature_moved_to_another_file(signed: Path, tmp_path: Path) -> None:
    """Head and signature of one file do not make another one good."""
    store.save_model(tmp_path / "evil.aimm", "x", b"evil!!!", policy=SIGNING, manager=HOST)
    evil, good = (tmp_path / "evil.aimm").read_bytes(), signed.read_bytes()
    (tmp_path / "evil.aimm").write_bytes(evil[:PREFIX] + good[PREFIX : PREFIX + 32] + evil[PREFIX + 32 :])
    with pytest.raises(SignatureError, match="does not match"):
        store.open_model(tmp_path / "evil.aimm", policy=STRICT)


def test_bytes_are_checked_alike() -> None:
    """What goes to another process as bytes is signed and checked as a file is."""
    packed = store.pack_model("x", b"weights", policy=SIGNING, manager=HOST)
    assert store.unpack_model(packed, policy=STRICT).load(manager=HOST) == b"weights"
    with pytest.raises(SignatureError, match=r"^bytes: it is not signed"):
        store.unpack_model(store.pack_model("x", b"", manager=HOST), policy=STRICT)


def test_a_payload_that_is_too_large(unsigned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is read of a payload beyond what the policy, or the memory of the machine, allows."""
    message = "its payload has 7 bytes, the policy allows 6: raise max_bytes"
    with pytest.raises(ModelTooLargeError, match=message):
        store.open_model(unsigned, policy=store.Policy(max_bytes=6))
    monkeypatch.setattr(_policy, "_memory_here", 5)
    with pytest.raises(ModelTooLargeError, match="its payload has 7 bytes, the memory here allows 5"):
        store.open_model(unsigned)
    assert store.open_model(unsigned, policy=store.Policy(max_bytes=7)).payload == b"weights"


def test_a_key_is_not_shown() -> None:
    """Neither a policy nor a verified file shows a key where it is printed or logged."""
    file = store.unpack_model(store.pack_model("x", b"", policy=SIGNING, manager=HOST), policy=STRICT)
    assert "kkkk" not in repr(SIGNING) + str(SIGNING) + repr(file)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"other_version": "maybe"}, "model policy, at other_version: expected one of ok, warn, migrate, refuse"),
        ({"require_signature": "yes"}, "at require_signature: expected true or false, got 'yes'"),
        ({"max_bytes": -1}, "at max_bytes: expected a number of bytes, got -1"),
        ({"max_bytes": True}, "at max_bytes: expected a number of bytes, got True"),
        ({"keys": {"a": b"short"}}, "at keys.a: expected at least 16 bytes, got 5; openssl rand -hex 32"),
        ({"keys": {"a\n": b"k" * 32}}, r"a key is called 'a\\n': expected printable text"),
        ({"sign_with": "a"}, r"at sign_with: there is no key 'a' \(keys: none\)"),
        ({"require_signature": True}, "a signature is required, but there is no key that could verify one"),
    ],
)
def test_a_policy_that_makes_no_sense(values: dict[str, object], message: str) -> None:
    """What is wrong is said when the policy is made, not when the first model is loaded."""
    with pytest.raises(ConfigError, match=message):
        store.Policy(**values)  # type: ignore[arg-type]


def write_policy(folder: Path, text: str) -> Path:
    (folder / "ci.key").write_text("0123456789abcdef0123456789abcdef\n")
    (folder / "policy.toml").write_text(text)
    return folder / "policy.toml"


def test_a_policy_file(tmp_path: Path) -> None:
    """Its keys are the attributes of a policy; key files are found beside it."""
    text = (
        'other_version = "refuse"\nrequire_signature = true\nsign_with = "ci"\nmax_bytes = 9\n[keys]\nci = "ci.key"\n'
    )
    found = store.load_policy(write_policy(tmp_path, text))
    expected = store.Policy("refuse", True, {"ci": b"0123456789abcdef0123456789abcdef"}, "ci", 9)
    assert found == expected


def test_the_policy_of_the_process(tmp_path: Path, unsigned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives no policy obeys the file that the variable names: who loads and who saves."""
    assert store.default_policy() == store.Policy()
    text = 'require_signature = true\nsign_with = "ci"\n[keys]\nci = "ci.key"\n'
    monkeypatch.setenv("AIMM_MODEL_POLICY", str(write_policy(tmp_path, text)))
    with pytest.raises(SignatureError, match="not signed"):
        store.load_model(unsigned, manager=HOST)
    store.save_model(unsigned, "x", b"weights", manager=HOST)
    assert store.load_model(unsigned, manager=HOST)[0].signed_by == "ci"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a = ", r"policy\.toml: cannot be read: "),
        ('signed = "yes"', r"policy\.toml, at signed: unknown key; a policy has other_version, require_signature"),
        ("keys = 5", r"policy\.toml, at keys: expected a table from key names to key files"),
        ("[keys]\na = 5", r"policy\.toml, at keys: expected a table"),
        ('[keys]\na = "missing.key"', r"policy\.toml: cannot be read: .*No such file.*missing\.key"),
        ("max_bytes = -1", r"policy\.toml, at max_bytes: expected a number of bytes"),
    ],
)
def test_a_policy_file_that_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    """The file and the place in it are named."""
    with pytest.raises(ConfigError, match=message):
        store.load_policy(write_policy(tmp_path, text))


def test_a_policy_file_that_is_missing(tmp_path: Path, unsigned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A policy that cannot be read stops everything: it must not be taken for none."""
    monkeypatch.setenv("AIMM_MODEL_POLICY", str(tmp_path / "none.toml"))
    for call in (
        lambda: store.load_model(unsigned),
        lambda: store.save_model("m.aimm", "x", b"", manager=HOST),
        lambda: store.unpack_model(b""),
    ):
        with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: .*No such file"):
            call()
    assert not Path("m.aimm").exists()


def test_the_plugins_of_the_signing_host_are_not_asked(signed: Path) -> None:
    """A signature is checked before any plugin could be looked for."""
    with pytest.raises(SignatureError):
        store.load_model(signed, policy=store.Policy(keys={"ci": b"z" * 32}), manager=plugins.PluginManager())
