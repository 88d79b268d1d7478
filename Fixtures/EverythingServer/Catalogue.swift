// SPDX-License-Identifier: Apache-2.0

import FixtureKit

/// The tools of both eras, in the order they are listed in.
enum Catalogue {
    static func tools(_ session: Session, _ link: any ClientLink, _ holds: Holds) -> [Tool] {
        ContentTools.all + BasicTools.all + ProcessTools.all
            + ClientTools(link: link).all + ChangeTools(session: session, link: link).all
            + [SessionTools.subscriptions(session, link), SessionTools.log(link), SlowTask.tool]
            + holds.tools + InputTools(link: link).all + ProbeTools(link: link).all
    }
}
