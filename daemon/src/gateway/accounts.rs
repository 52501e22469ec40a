//! Requests about accounts.

use codementor_protocol::{
    CodeDropped, CodeSummary, DropCode, EnrolCode, Enrolled, Identity, Join, KeySummary, ListCodes, ListKeys,
    LogOut, LoggedOut, MakeCode, MakeScoped, Pair, Refusal, Renew, Revoke, Revoked, WhoAmI,
};

use super::{Caller, Gateway, Handle};
use crate::queue::now;

impl Handle<WhoAmI> for Gateway {
    async fn handle(&self, caller: &Caller, _: WhoAmI) -> Result<Identity, Refusal> {
        self.accounts.identity(caller, now()).await
    }
}

impl Handle<Join> for Gateway {
    async fn handle(&self, caller: &Caller, request: Join) -> Result<Identity, Refusal> {
        self.accounts.join(caller, request, now()).await?;
        self.accounts.identity(&self.accounts.caller(&caller.user)?, now()).await
    }
}

impl Handle<Renew> for Gateway {
    async fn handle(&self, caller: &Caller, request: Renew) -> Result<Enrolled, Refusal> {
        self.accounts.renew(caller, request.public_key, now()).await
    }
}

impl Handle<Pair> for Gateway {
    async fn handle(&self, caller: &Caller, request: Pair) -> Result<EnrolCode, Refusal> {
        self.accounts.pair(caller, request.user, now()).await
    }
}

impl Handle<ListKeys> for Gateway {
    async fn handle(&self, caller: &Caller, _: ListKeys) -> Result<Vec<KeySummary>, Refusal> {
        self.accounts.keys(caller, now()).await
    }
}

impl Handle<LogOut> for Gateway {
    async fn handle(&self, caller: &Caller, request: LogOut) -> Result<LoggedOut, Refusal> {
        self.accounts.log_out(caller, request.public_key, now()).await?;
        Ok(LoggedOut {})
    }
}

impl Handle<MakeCode> for Gateway {
    async fn handle(&self, caller: &Caller, request: MakeCode) -> Result<EnrolCode, Refusal> {
        self.accounts.make_code(caller, request, now()).await
    }
}

impl Handle<ListCodes> for Gateway {
    async fn handle(&self, _: &Caller, request: ListCodes) -> Result<Vec<CodeSummary>, Refusal> {
        self.accounts.codes(request.course).await
    }
}

impl Handle<DropCode> for Gateway {
    async fn handle(&self, caller: &Caller, request: DropCode) -> Result<CodeDropped, Refusal> {
        self.accounts.drop_code(caller, request.course, request.id, now()).await?;
        Ok(CodeDropped {})
    }
}

impl Handle<MakeScoped> for Gateway {
    async fn handle(&self, caller: &Caller, request: MakeScoped) -> Result<Enrolled, Refusal> {
        self.accounts.make_scoped(caller, request, now()).await
    }
}

impl Handle<Revoke> for Gateway {
    async fn handle(&self, caller: &Caller, request: Revoke) -> Result<Revoked, Refusal> {
        self.accounts.revoke(caller, request.user, now()).await
    }
}
