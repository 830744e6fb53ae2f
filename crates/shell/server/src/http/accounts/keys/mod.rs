//! API keys that are proven and never sent (`specs/pzk-auth.md`): services, their keys' points, devices, proofs,
//! tokens.

mod answer;
mod bearer;
mod enrol;
mod entry;
mod limits;
mod login;
mod manage;
mod points;
mod rotate;
mod services;
mod signed;
mod tokens;

pub(super) use enrol::{__path_enrol, enrol};
pub(super) use entry::{__path_challenge, __path_evaluate, challenge, evaluate};
pub(super) use limits::KeyLimits;
pub(super) use login::{__path_login, login};
pub(super) use manage::{__path_manage, manage};
pub(super) use points::{
    __path_device_remove, __path_devices, __path_point, __path_point_revoke, __path_points,
    device_remove, devices, point, point_revoke, points,
};
pub(super) use rotate::{__path_rotate, rotate};
pub(super) use services::{
    __path_service, __path_service_remove, __path_service_secret, __path_services, service,
    service_remove, service_secret, services,
};
pub(super) use tokens::{
    __path_introspect, __path_jwks, __path_revoke_token, introspect, jwks, revoke_token,
};
