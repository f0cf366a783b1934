"""What stands in the way is told in words, hangs nothing, and loses nothing; nothing in a repository runs a program."""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from mcp_daan.errors import DaanError
from mcp_daan.knowledge.sharing.place import allowed_address
from tests.sync.conftest import Machine, in_remote


def program(folder: Path, name: str, text: str) -> Path:
    """An executable script."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return file


def reason(machine: Machine, title: str = "Rows are limited") -> str:
    """Why the lesson waits."""
    answer = machine.learn(title)

    assert (answer.status, answer.data["sync"]["state"]) == ("partial", "waiting")
    assert answer.recommendations[0].startswith(answer.data["sync"]["reason"])
    return str(answer.data["sync"]["reason"])


def test_a_detached_head_keeps_the_lesson_until_there_is_a_branch(ann: Machine, remote: Path) -> None:
    """It stands on the disk; the call after the switch commits and sends it."""
    ann.git("checkout", "--quiet", "--detach")
    assert reason(ann) == "HEAD is detached, so there is no branch to commit to."
    read = ann.call("lessons_list")
    assert (read.status, read.recommendations[0].split(",")[0]) == ("complete", "HEAD is detached")
    ann.git("checkout", "--quiet", "main")
    ann.titles()

    assert len(in_remote(remote)) == 1


def test_a_branch_without_upstream_keeps_its_commits_until_it_has_one(ann: Machine, remote: Path) -> None:
    """The lesson is committed; which branch of which remote to make is the person's choice."""
    ann.git("checkout", "--quiet", "-b", "feature")
    assert reason(ann) == "Branch feature follows no branch of a remote."
    assert (len(ann.files()), ann.status()) == (1, "")
    ann.git("push", "--quiet", "--set-upstream", "origin", "feature")
    answer = ann.call("lessons_list")

    assert answer.data["sync"]["state"] == "shared"
    assert len(in_remote(remote, "feature")) == 1


def test_a_branch_that_the_remote_has_not_yet_is_told_and_asked_for_again(ann: Machine, remote: Path) -> None:
    """The remote was reached, so the next call asks it at once."""
    ann.git("checkout", "--quiet", "-b", "feature")
    ann.git("config", "branch.feature.remote", "origin")
    ann.git("config", "branch.feature.merge", "refs/heads/feature")
    assert reason(ann) == "origin has no such branch yet."
    ann.git("push", "--quiet", "origin", "HEAD")
    answer = ann.call("lessons_list")

    assert (answer.status, answer.data["sync"]["state"]) == ("complete", "shared")
    assert len(in_remote(remote, "feature")) == 1


def test_with_nothing_to_send_an_absent_remote_only_leaves_a_hole(ann: Machine, remote: Path) -> None:
    """Every lesson of ours is there; what others wrote since nobody knows."""
    ann.learn("Rows are limited")
    remote.rename(remote.with_name("away.git"))
    answer = ann.call("lessons_list")

    assert (answer.status, answer.data["sync"]["state"], answer.data["sync"]["waiting"]) == ("partial", "shared", 0)
    assert answer.summary == "1 of 1 lessons."
    assert answer.data["sync"]["reason"] == "There is no repository at the address of origin."


@pytest.mark.parametrize("what", ["merge", "rebase"])
def test_while_git_is_in_the_middle_of_something_nothing_is_committed(ann: Machine, what: str) -> None:
    """A commit in between would end up in what the person is doing."""
    ann.git("checkout", "--quiet", "-b", "other")
    ann.commit("same.txt", "one\n")
    ann.git("checkout", "--quiet", "main")
    ann.commit("same.txt", "two\n")
    subprocess.run(["git", "-C", str(ann.root), what, "other"], capture_output=True)
    before = ann.git("rev-parse", "HEAD")

    assert f"{what} is under way" in reason(ann)
    assert ann.git("rev-parse", "HEAD") == before


def test_a_protected_branch_is_told_and_keeps_the_commit(ann: Machine, remote: Path) -> None:
    """The remote's own words are not repeated."""
    program(remote / "hooks", "pre-receive", "echo 'remote says: call 555' >&2; exit 1")
    answer = ann.learn("Rows are limited")

    assert answer.data["sync"]["reason"] == "origin takes no direct push to main."
    assert answer.data["sync"]["waiting"] == 1
    assert "555" not in answer.model_dump_json()
    assert (in_remote(remote), len(ann.files())) == ([], 1)


def test_a_remote_that_has_the_branch_checked_out_is_told(ann: Machine, clone: Callable[..., Machine]) -> None:
    """Git refuses it, and says so in many lines."""
    other = clone("other", url=str(ann.root))

    assert "is checked out in the remote repository" in reason(other)


def test_without_git_a_lesson_is_written_and_the_answer_says_that_nobody_shares_it(ann: Machine) -> None:
    """The setting asks for what cannot be."""
    shutil.rmtree(ann.root / ".git")

    assert reason(ann) == "There is no git repository to share lessons by."


def test_an_ignored_folder_is_not_shared_against_the_teams_will(ann: Machine, remote: Path) -> None:
    """.gitignore is the team's word."""
    ann.write(".gitignore", "lessons/\n")

    assert reason(ann) == "Git ignores the folder of lessons, so they are not shared."
    assert in_remote(remote) == []


def test_a_remote_that_never_answers_is_left_at_the_deadline(
    ann: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever git started is ended with it, so nothing waits for a password or a dead host."""
    witness = tmp_path / "pid"
    waiting = program(tmp_path, "ssh", f"echo $$ > {witness}; exec sleep 300")
    monkeypatch.setenv("GIT_SSH_COMMAND", str(waiting))
    ann.git("remote", "set-url", "origin", "ssh://git@host.invalid/team.git")
    ann.write("daan.toml", '[knowledge]\nsync = "git"\n[limits]\nrequest_seconds = 1\n')
    begin = time.monotonic()
    assert reason(ann) == "origin did not answer in time."

    assert time.monotonic() - begin < 10
    state = Path(f"/proc/{int(witness.read_text())}/stat")
    while state.exists() and " Z " not in state.read_text():
        assert time.monotonic() - begin < 20


def test_a_password_is_never_asked_for(ann: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no terminal, no window, and what ssh says is told in our words."""
    seen = tmp_path / "seen"
    refusing = program(
        tmp_path,
        "ssh",
        f'(: < /dev/tty) 2> /dev/null && echo tty > {seen}; echo "$SSH_ASKPASS $GIT_ASKPASS $GIT_TERMINAL_PROMPT" > {seen}.ask\n'
        "echo 'git@host.invalid: Permission denied (publickey).' >&2; exit 255",
    )
    monkeypatch.setenv("GIT_SSH_COMMAND", str(refusing))
    ann.git("remote", "set-url", "origin", "git@host.invalid:team.git")

    assert reason(ann) == "origin does not accept the credentials, or there are none."
    assert not seen.exists()
    assert Path(f"{seen}.ask").read_text() == "false false 0\n"


def test_the_persons_own_ssh_command_is_used_even_by_a_condition_on_the_folder(
    ann: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`includeIf "gitdir:…"` is how people keep keys apart."""
    seen = tmp_path / "seen"
    own = program(tmp_path, "own-ssh", f"echo used > {seen}; exit 255")
    (tmp_path / "work.config").write_text(f"[core]\n  sshCommand = {own}\n")
    (tmp_path / "global.config").write_text(f'[includeIf "gitdir:{ann.root}/"]\n  path = {tmp_path}/work.config\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "global.config"))
    ann.git("remote", "set-url", "origin", "git@host.invalid:team.git")

    reason(ann)
    assert seen.read_text() == "used\n"


HOSTILE = {
    "core.sshCommand": "{program}",
    "core.fsmonitor": "{program}",
    "core.hooksPath": "{hooks}",
    "core.askPass": "{program}",
    "core.gitProxy": "{program}",
    "core.alternateRefsCommand": "{program}",
    "core.editor": "{program}",
    "credential.helper": "!{program}",
    "credential.https://host.invalid.helper": "!{program}",
    "remote.origin.receivepack": "{program}",
    "remote.origin.uploadpack": "{program}",
    "remote.origin.vcs": "ext",
    "remote.origin.proxy": "http://127.0.0.1:9",
    "url.ext::{program} .insteadOf": "{remote}",
    "url.ext::{program}.pushInsteadOf": "{remote}",
    "protocol.ext.allow": "always",
    "protocol.allow": "always",
    "uploadpack.packObjectsHook": "{program}",
    "commit.gpgSign": "true",
    "push.gpgSign": "true",
    "gpg.program": "{program}",
    "gpg.ssh.program": "{program}",
    "filter.evil.smudge": "{program}",
    "filter.evil.clean": "{program}",
    "filter.evil.process": "{program}",
    "filter.evil.required": "true",
    "diff.external": "{program}",
    "diff.evil.textconv": "{program}",
    "diff.evil.command": "{program}",
    "merge.evil.driver": "{program}",
    "core.attributesFile": "{attributes}",
    "trailer.lesson.command": "{program}",
    "trailer.lesson.cmd": "{program}",
    "alias.push": "!{program}",
    "push.recurseSubmodules": "on-demand",
    "gc.recentObjectsHook": "{program}",
}


def test_nothing_in_the_repository_makes_git_run_a_program(
    ann: Machine, bob: Machine, remote: Path, tmp_path: Path
) -> None:
    """Hooks, filters, helpers, transports: sharing works past them all, and none leaves its mark."""
    mark = tmp_path / "mark"
    evil = program(tmp_path, "evil", f'echo "$0 $*" >> {mark}; cat; exit 0')
    hooks = ann.root / ".git/hooks"
    for hook in (
        "pre-push post-checkout post-index-change reference-transaction pre-commit commit-msg prepare-commit-msg"
        " post-commit post-merge post-rewrite pre-auto-gc update fsmonitor-watchman"
    ).split():
        program(hooks, hook, f"echo {hook} >> {mark}")
    bob.commit(".gitattributes", "* filter=evil diff=evil merge=evil\n")
    bob.git("push", "--quiet")
    values = {
        "program": str(evil),
        "hooks": str(hooks),
        "remote": str(remote),
        "attributes": str(bob.root / ".gitattributes"),
    }
    with (ann.root / ".git/config").open("a") as config:
        for key, value in HOSTILE.items():
            section, name = key.format(**values).rsplit(".", 1)
            outer, _, inner = section.partition(".")
            text = value.format(**values).replace('"', '\\"')
            config.write(
                f'[{outer} "{inner}"]\n\t{name} = "{text}"\n' if inner else f'[{outer}]\n\t{name} = "{text}"\n'
            )
    answers = [ann.learn("Rows are limited"), ann.call("lessons_list"), ann.call("knowledge_validate")]
    bob.learn("Cold starts hurt")
    answers += [ann.call("lessons_list"), ann.learn("Indexes help")]

    assert (mark.read_text() if mark.exists() else "") == ""
    assert [answer.data["sync"]["state"] for answer in answers] == ["shared"] * 5
    assert len(in_remote(remote)) == 3


def test_where_files_pass_a_filter_of_the_repository_the_branch_is_left_to_git(ann: Machine, bob: Machine) -> None:
    """Without it they would be written as they are stored, as `git lfs install --local` keeps them."""
    ann.git("config", "filter.lfs.smudge", "tr a-z A-Z")
    bob.commit(".gitattributes", "*.bin filter=lfs\n")
    bob.commit("large.bin", "pointer\n")
    bob.git("push", "--quiet")
    answer = ann.learn("Rows are limited")

    assert answer.data["sync"]["state"] == "shared"
    assert "names filters, which are not run" in answer.recommendations[0]
    assert not (ann.root / "large.bin").exists()


def test_a_work_tree_that_the_configuration_puts_elsewhere_is_not_written(ann: Machine, tmp_path: Path) -> None:
    """`core.worktree` could name a home folder."""
    ann.git("config", "core.worktree", str(tmp_path))

    assert reason(ann) == "The repository's work tree is not the folder of its `.git`."


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c evil",
        "fd::17",
        "testgit::/x",
        "http://host.invalid/x.git",
        "git://host.invalid/x.git",
        "-oProxyCommand=evil",
        "ssh://-oProxyCommand=evil/x",
        "-oProxyCommand=evil:x",
        "ftp://host.invalid/x",
        "evil::x",
        "inside.git",
        ".git",
        "HTTP://host.invalid/x.git",
        "ext::https://host.invalid/x",
    ],
)
def test_an_address_that_could_run_a_program_or_be_read_by_others_is_refused(address: str, tmp_path: Path) -> None:
    """Only https, ssh and folders outside the repository."""
    assert isinstance(allowed_address(address, tmp_path), DaanError)


@pytest.mark.parametrize(
    "address",
    [
        "https://github.com/team/x.git",
        "git@github.com:team/x.git",
        "github.com:team/x.git",
        "ssh://git@host.invalid:2222/x.git",
        "/srv/git/x.git",
        "../x.git",
        "file:///srv/git/x.git",
        "user@[::1]:x.git",
    ],
)
def test_the_addresses_that_teams_use_are_allowed(address: str, tmp_path: Path) -> None:
    """A folder is made absolute, since git runs elsewhere."""
    top = tmp_path / "top"
    top.mkdir()
    expected = str(tmp_path / "x.git") if address.startswith("..") else address.removeprefix("file://")

    assert allowed_address(address, top) == expected
    assert os.path.isabs(expected) or ":" in expected  # noqa: PTH117
