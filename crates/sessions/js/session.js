// session: checkpoints of what is durable. The host keeps them.
(function (ops, intrinsics) {
  "use strict";
  const { freeze } = intrinsics;
  // What session.checkpoint() has returned stands for its id.
  const which = (of) => (typeof of === "object" && of !== null ? of.id : of);
  const session = {
    checkpoint: (name) => ops.session_checkpoint(name),
    checkpoints: () => ops.session_checkpoints(),
    rollback: (to) => ops.session_rollback(which(to)),
    changes: (from, to) => ops.session_changes(which(from), which(to)),
    forget: (checkpoint) => { ops.session_forget(which(checkpoint)); },
  };
  return { session: freeze(session) };
})
