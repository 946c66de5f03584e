import pytest

from tests.factories import PASSWORD

pytestmark = pytest.mark.django_db


def sign_in(client, name, password, **extra):
    return client.post("/sign-in/", {"username": name, "password": password, **extra})


def test_a_stranger_is_asked_to_sign_in_and_comes_back_to_the_page(client, bob):
    asked = client.get("/plugins/")
    assert asked.url == "/sign-in/?next=/plugins/"
    assert sign_in(client, "bob", PASSWORD, next="/plugins/").url == "/plugins/"


def test_nobody_is_sent_to_another_site_after_signing_in(client, bob):
    assert sign_in(client, "bob", PASSWORD, next="https://evil.example/").url == "/"


def test_a_wrong_password_says_so_without_telling_which_was_wrong(client, bob):
    known = sign_in(client, "bob", "wrong").content.decode()
    unknown = sign_in(client, "nobody", "wrong").content.decode()
    assert "Please enter a correct username and password" in known
    assert "Please enter a correct username and password" in unknown


def test_too_many_failures_lock_and_say_for_how_long(client, bob, settings):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        answer = sign_in(client, "bob", "wrong")
    assert answer.status_code == 429
    assert "locked for 10 min" in answer.content.decode()
    assert sign_in(client, "bob", PASSWORD).status_code == 429


def test_signing_out_ends_the_session(signed_in, bob):
    client = signed_in(bob)
    assert client.post("/sign-out/").url == "/sign-in/"
    assert client.get("/").url == "/sign-in/?next=/"


def test_a_link_cannot_sign_anybody_out(signed_in, bob):
    client = signed_in(bob)
    assert client.get("/sign-out/").status_code == 405
    assert client.get("/").status_code == 200


def test_whoever_is_signed_in_does_not_sign_in_again(signed_in, bob):
    assert signed_in(bob).get("/sign-in/").url == "/"
