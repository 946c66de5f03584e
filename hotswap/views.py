"""Signing in and out. Everything else is a page of an app."""

from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static


class SignIn(LoginView):
    """Password and session; django-axes counts the failures and locks by name and address."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Only by POST, so that no link or image of somebody else's can end a session."""

    http_method_names = ["post"]


def favicon(request: HttpRequest) -> HttpResponse:
    """Browsers ask for it on pages that name none, such as the admin's."""
    return redirect(static("hotswap/mark.svg"))
