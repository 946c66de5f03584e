"""The pages that people see; the API and the admin are elsewhere."""

from django.urls import include, path

from hotswap.views import SignIn, SignOut, favicon

urlpatterns = [
    path("favicon.ico", favicon),
    path("sign-in/", SignIn.as_view(), name="sign-in"),
    path("sign-out/", SignOut.as_view(), name="sign-out"),
    path("", include("plugins.urls")),
    path("", include("deployments.urls")),
]
