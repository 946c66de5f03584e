"""Signing in and out. Everything else is a page of an app."""

from django.contrib.auth.views import LoginView, LogoutView


class SignIn(LoginView):
    """Password and session; django-axes counts the failures and locks by name and address."""

    template_name = "accounts/sign_in.html"
    redirect_authenticated_user = True


class SignOut(LogoutView):
    """Only by POST, so that no link or image of somebody else's can end a session."""

    http_method_names = ["post"]
