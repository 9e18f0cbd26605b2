//! The only way out of a VM.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use perennial_engine::{Area, Bound, EngineConfig, Extensions, OpError, OpTable, OpValue};
use perennial_protocol::ErrorKind;
use serde_json::json;

use super::harness::Harness;

/// A configuration whose global `host` is the table of ops itself.
fn config(ops: OpTable) -> EngineConfig {
    EngineConfig::new(ops, vec![Area::new("host", &["host"], "(function (ops) { return { host: ops }; })")])
}

#[tokio::test]
async fn an_op_gets_plain_values_and_returns_one() {
    let ops = OpTable::new()
        .sync("describe", Bound::DATA.with_values_from(0), |_, args| Ok(json!(format!("{args:?}")).into()));
    let mut vm = Harness::with_config(config(ops));
    assert_eq!(
        vm.value("return host.describe(1, 'two', { three: [3n] }, undefined, new Uint8Array([4]))").await,
        json!(
            "[Json(Number(1)), Json(String(\"two\")), Json(Object {\"three\": Array [Object {\"$bigint\": String(\"3\")}]}), \
             Undefined, Bytes([4])]"
        )
    );
}

#[tokio::test]
async fn bytes_come_back_as_bytes() {
    let ops = OpTable::new().sync("reverse", Bound::DATA.with_values_from(0), |_, mut args| match args.pop() {
        Some(OpValue::Bytes(mut bytes)) => {
            bytes.reverse();
            Ok(OpValue::Bytes(bytes))
        }
        other => Err(OpError::type_error(format!("no bytes: {other:?}"))),
    });
    let mut vm = Harness::with_config(config(ops));
    let script =
        "const b = host.reverse(new Uint8Array([0, 1, 2, 3]).subarray(1)); return [b instanceof Uint8Array, ...b]";
    assert_eq!(vm.value(script).await, json!([true, 3, 2, 1]));
}

#[tokio::test]
async fn an_op_error_names_its_class_and_has_the_script_s_stack() {
    let ops = OpTable::new().sync("fail", Bound::DATA.with_values_from(0), |_, args| {
        let class = args.first().and_then(OpValue::as_str).unwrap_or("Error");
        Err(OpError::new(class, "it failed"))
    });
    let mut vm = Harness::with_config(config(ops));
    for class in ["Error", "TypeError", "RangeError", "QuotaExceededError"] {
        let script =
            format!("try {{ host.fail('{class}') }} catch (e) {{ return [e instanceof {class}, e.name, e.message] }}");
        assert_eq!(vm.value(&script).await, json!([true, class, "it failed"]));
    }
    let error = vm.error("\n  host.fail('CustomError')").await;
    assert_eq!((error.kind, error.name.as_str(), error.line), (ErrorKind::Runtime, "CustomError", Some(2)));
}

#[tokio::test]
async fn a_refusal_that_nobody_catches_is_of_kind_permission() {
    let ops = OpTable::new().sync("open", Bound::DATA.with_values_from(0), |_, _| {
        Err(OpError::permission("reading /etc/passwd", "a mount"))
    });
    let mut vm = Harness::with_config(config(ops));
    let error = vm.error("host.open()").await;
    assert_eq!((error.kind, error.name.as_str()), (ErrorKind::Permission, "PermissionError"));
    assert_eq!(error.message, "reading /etc/passwd is not permitted; a mount would grant it");
    assert_eq!(vm.value("try { host.open() } catch (e) { return e instanceof PermissionError }").await, json!(true));
    // An error that only calls itself so is the script's own.
    assert_eq!(
        vm.error("const e = new Error('x'); e.name = 'PermissionError'; throw e").await.kind,
        ErrorKind::Runtime
    );
}

#[tokio::test]
async fn an_op_that_panics_gives_the_script_an_error_and_leaves_everything_standing() {
    let ops = OpTable::new().sync("sync", Bound::DATA.with_values_from(0), |_, _| panic!("a defect")).asynchronous(
        "async",
        Bound::DATA.with_values_from(0),
        |_, _| Box::pin(async { panic!("another") }),
    );
    let mut vm = Harness::with_config(config(ops));
    for script in ["host.sync()", "await host.async()"] {
        let error = vm.error(script).await;
        assert_eq!(error.kind, ErrorKind::Runtime);
        assert!(error.message.contains("a defect of the host"), "{}", error.message);
    }
    assert_eq!(vm.value("return 1").await, json!(1));
}

#[tokio::test]
async fn async_ops_settle_promises_in_whatever_order_they_end() {
    let ops = OpTable::new().asynchronous("echo", Bound::DATA.with_values_from(0), |_, mut args| {
        Box::pin(async move {
            let value = args.pop().unwrap();
            if value.as_f64() == Some(13.0) {
                return Err(OpError::new("RangeError", "unlucky"));
            }
            tokio::task::yield_now().await;
            Ok(value)
        })
    });
    let mut vm = Harness::with_config(config(ops));
    let script = "const all = await Promise.allSettled([1, 13, 'x'].map((v) => host.echo(v)));
        return all.map((r) => r.value ?? r.reason.name)";
    assert_eq!(vm.value(script).await, json!([1, "RangeError", "x"]));
}

#[tokio::test]
async fn too_many_async_ops_at_once_are_refused_with_both_numbers() {
    let ops =
        OpTable::new().asynchronous("never", Bound::DATA.with_values_from(0), |_, _| Box::pin(std::future::pending()));
    let mut vm = Harness::with_config(config(ops));
    let error = vm.error("for (;;) host.never()").await;
    assert_eq!((error.name.as_str(), error.limit, error.used), ("QuotaExceededError", Some(1000), Some(1001)));
}

#[tokio::test]
async fn what_a_run_lends_is_gone_with_the_run_and_what_the_call_permits_stays_until_the_next() {
    struct Page;
    struct Policy;
    let ops = OpTable::new().sync("sees", Bound::DATA.with_values_from(0), |context, _| {
        Ok(json!([context.lent.get::<Page>().is_some(), context.extensions.get::<Policy>().is_some()]).into())
    });
    let mut vm = Harness::with_config(config(ops));
    vm.lent = Extensions::default().with(Page);
    vm.extensions = Extensions::default().with(Policy);
    let script = "setTimeout(() => { console.log(JSON.stringify(host.sees())) }, 1); return host.sees()";
    assert_eq!(vm.value(script).await, json!([true, true]));
    vm.lent = Extensions::default();
    vm.pump().await;
    vm.extensions = Extensions::default();
    let end = vm.end("return host.sees()").await;
    assert_eq!(end.console.entries[0].message, "[false,true]");
    assert!(end.console.entries[0].background);
    assert_eq!(end.outcome.unwrap(), Some(json!([false, false])));
}

#[tokio::test]
async fn no_op_runs_for_a_script_that_was_stopped() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let ops = OpTable::new().sync("count", Bound::DATA.with_values_from(0), move |_, _| {
        counted.fetch_add(1, Ordering::SeqCst);
        Ok(OpValue::Undefined)
    });
    let mut vm = Harness::with_config(config(ops));
    vm.options.wall = Duration::from_millis(50);
    // A getter among the arguments outlives the deadline; the op it was meant for must not start.
    let error = vm.error("host.count({ get x() { for (;;) {} } })").await;
    assert_eq!((error.kind, calls.load(Ordering::SeqCst)), (ErrorKind::Timeout, 0));
}

#[tokio::test]
async fn ops_of_a_stopped_run_are_cancelled() {
    struct Dropped(Arc<AtomicUsize>);
    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let dropped = Arc::new(AtomicUsize::new(0));
    let seen = dropped.clone();
    let ops = OpTable::new().asynchronous("wait", Bound::DATA.with_values_from(0), move |_, _| {
        let guard = Dropped(seen.clone());
        Box::pin(async move {
            std::future::pending::<()>().await;
            drop(guard);
            Ok(OpValue::Undefined)
        })
    });
    let mut vm = Harness::with_config(config(ops));
    vm.options.wall = Duration::from_millis(50);
    assert_eq!(vm.error("await Promise.all([host.wait(), host.wait()])").await.kind, ErrorKind::Timeout);
    tokio::time::timeout(Duration::from_secs(10), async {
        while dropped.load(Ordering::SeqCst) < 2 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn without_ops_a_script_still_has_the_engine_s_own_globals() {
    let mut vm = Harness::new();
    let script =
        "return [typeof console.log, typeof setTimeout, typeof vars, typeof require, typeof process, typeof fetch]";
    assert_eq!(
        vm.value(script).await,
        json!(["function", "function", "undefined", "undefined", "undefined", "undefined"])
    );
}
