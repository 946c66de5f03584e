"""Pages that change plugins and their versions; what shows them knows what runs as well."""

from django.urls import path

from plugins import views

urlpatterns = [
    path("register/", views.register, name="register-plugin"),
    path("plugins/<str:name>/upload/", views.upload, name="upload-version"),
    path("plugins/<str:name>/<str:version>/approve/", views.approve, name="approve-version"),
    path("plugins/<str:name>/<str:version>/reject/", views.reject, name="reject-version"),
]
