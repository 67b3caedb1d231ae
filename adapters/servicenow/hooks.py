"""The Business Rule that tells us of changes. Business Rules are made by hand: the text for that, which
docs/servicenow.md has too. Vendor sheet 3.2 and 3.3."""

import re
from collections.abc import Mapping

from adapters.servicenow.profile import Profile

BOT = "uptier.bot"
"""What the set-up page calls our user, whose name an API key or an OAuth client does not tell."""

STEPS = """\
First two properties (*sys_properties.list → New*):

| name | type | value |
|---|---|---|
| `uptier.ACCOUNT.endpoint` | string | `ADDRESS` |
| `uptier.ACCOUNT.secret` | password2 | what is kept as `SECRET`: a long random text |

Then *System Definition → Business Rules → New*, table `TABLE`, tick *Advanced*:

- When **async**, Insert and Update. Filter conditions, any of: *State changes*, *On hold reason changes*,
  *Assignment group changes*, *Assigned to changes*, *Priority changes*, *Additional comments changes*, *Work notes
  changes*.
- Condition: `gs.getUserName() != 'BOT'`
- Script:

```javascript
(function executeRule(current, previous) {
    if (current.getValue('sys_updated_by') == 'BOT') {
        return;
    }
    var body = JSON.stringify({
        v: 1,
        table: current.getTableName() + '',
        sys_id: current.getUniqueValue() + '',
        number: current.getValue('number') + '',
        sys_updated_on: current.getValue('sys_updated_on') + '',
        sys_mod_count: current.getValue('sys_mod_count') + '',
        sys_updated_by: current.getValue('sys_updated_by') + '',
        event: current.operation() + ''
    });
    var stamp = Math.floor(new GlideDateTime().getNumericValue() / 1000) + '';
    var key = GlideStringUtil.base64Encode(gs.getProperty('uptier.ACCOUNT.secret'));
    var mac = new GlideCertificateEncryption().generateMac(key, 'HmacSHA256', stamp + '.' + body);
    try {
        var request = new sn_ws.RESTMessageV2();
        request.setHttpMethod('post');
        request.setEndpoint(gs.getProperty('uptier.ACCOUNT.endpoint'));
        request.setRequestHeader('Content-Type', 'application/json');
        request.setRequestHeader('X-Uptier-Timestamp', stamp);
        request.setRequestHeader('X-Uptier-Signature', mac + '');
        request.setRequestBody(body);
        request.setHttpTimeout(10000);
        var status = request.execute().getStatusCode();
        if (status >= 300) {
            gs.error('Uptier answered ' + status + ' for ' + current.getValue('number'));
        }
    } catch (error) {
        gs.error('Uptier was not reached for ' + current.getValue('number') + ': ' + error);
    }
})(current, previous);
```
"""
"""The words in capitals are what differs from account to account."""


def set_up(profile: Profile, bot: str, address: str, webhook: Mapping[str, str]) -> str:
    """What to click and to paste."""
    known = {
        "ADDRESS": address,
        "SECRET": webhook.get("secret", "secret:NAME"),
        "TABLE": profile.name,
        "ACCOUNT": profile.account.name,
        "BOT": bot.replace("\\", "\\\\").replace("'", "\\'"),
    }
    return re.sub("|".join(known), lambda word: known[word[0]], STEPS)
