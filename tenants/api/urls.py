from django.urls import path

from tenants.api import views

urlpatterns = [
    path("tenants", views.TenantList.as_view(), name="tenants"),
    path("tenants/<str:slug>", views.TenantDetail.as_view(), name="tenant"),
    path("tenants/<str:slug>/suspend", views.TenantSuspension.as_view(), name="tenant-suspend"),
    path("tenants/<str:slug>/resume", views.TenantResumption.as_view(), name="tenant-resume"),
    path("tenants/<str:slug>/members", views.MemberList.as_view(), name="tenant-members"),
    path(
        "tenants/<str:slug>/members/<str:username>",
        views.MemberDetail.as_view(),
        name="tenant-member",
    ),
]
