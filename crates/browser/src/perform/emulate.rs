//! What pages are made to believe.

use std::sync::Arc;

use perennial_stdlib::browser::{Answer, BrowserError, Emulation, Failure};
use serde_json::{Value, json};

use super::called;
use crate::input::nothing;
use crate::page::Page;
use crate::session::Context;
use crate::settings::permission;

pub(super) async fn on_page(page: &Arc<Page>, what: Emulation) -> Result<Answer, BrowserError> {
    match what {
        Emulation::Media { media, features } => {
            let features: Vec<Value> =
                features.iter().map(|(name, value)| json!({ "name": name, "value": value })).collect();
            let params = json!({ "media": media.unwrap_or_default(), "features": features });
            called(page.call("Emulation.setEmulatedMedia", params)).await?;
            Ok(nothing())
        }
        what => {
            let mut is_known = true;
            page.configure(|settings| is_known = settings.change(&what));
            if is_known { Ok(nothing()) } else { Err(unknown()) }
        }
    }
}

pub(super) async fn everywhere(context: &Arc<Context>, what: Emulation) -> Result<Answer, BrowserError> {
    if let Emulation::Permissions { names, origin } = what {
        let mut params = json!({ "browserContextId": context.id });
        let method = match names {
            Some(names) => {
                let names: Result<Vec<&str>, _> = names.iter().map(|name| permission(name)).collect();
                params["permissions"] = names?.into();
                "Browser.grantPermissions"
            }
            None => "Browser.resetPermissions",
        };
        if let Some(origin) = origin {
            params["origin"] = origin.into();
        }
        called(context.connection().call(None, method, params)).await?;
        return Ok(nothing());
    }
    let is_known = std::sync::atomic::AtomicBool::new(true);
    context.configure(|settings| {
        is_known.fetch_and(settings.change(&what), std::sync::atomic::Ordering::Relaxed);
    });
    if is_known.into_inner() { Ok(nothing()) } else { Err(unknown()) }
}

fn unknown() -> BrowserError {
    BrowserError::new(Failure::Invalid, "this browser does not know what that is")
}
