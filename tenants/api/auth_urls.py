from django.urls import path

from tenants.api import auth

urlpatterns = [
    path("auth/token", auth.TokenView.as_view(), name="token"),
    path("auth/token/refresh", auth.TokenRefreshView.as_view(), name="token-refresh"),
    path("auth/token/revoke", auth.TokenRevokeView.as_view(), name="token-revoke"),
    path("auth/keys", auth.KeyListView.as_view(), name="keys"),
    path("auth/keys/<uuid:key_id>", auth.KeyView.as_view(), name="key"),
    path("me", auth.MeView.as_view(), name="me"),
]
