//! What every [`Directory`] must do: whoever is listed is found, by id and by role, and only who is listed.

use switchman::domain::actor::{Listed, Role};
use switchman::domain::id::{TeamId, UserId};
use switchman::ports::Directory;

/// Who is listed in the suite: user, name, roles; all of the team `T0LOCAL`.
pub(crate) const PEOPLE: [(&str, &str, &[&str]); 4] = [
    ("U0APPROVER", "Anna", &["approver", "operator"]),
    ("U0BOTH", "Bert", &["operator", "approver"]),
    ("U0NOTHING", "Nora", &[]),
    ("U0OPERATOR", "Olga", &["operator"]),
];

/// The list as an adapter is given it.
pub(crate) fn people() -> Vec<(TeamId, UserId, Listed)> {
    let person = |(user, name, roles): (&str, &str, &[&str])| {
        let roles = roles.iter().map(|role| Role::new(role)).collect();
        (TeamId::parse("T0LOCAL").unwrap(), UserId::parse(user).unwrap(), Listed { name: name.into(), roles })
    };
    PEOPLE.into_iter().map(person).collect()
}

/// With [`people`] on its list, and nobody else.
pub(crate) async fn people_are_found_by_id_and_by_role(directory: &dyn Directory) {
    for (team, user, listed) in people() {
        assert_eq!(directory.find(&team, &user).await.unwrap(), Some(listed));
        assert_eq!(directory.find(&TeamId::parse("T0OTHER").unwrap(), &user).await.unwrap(), None);
    }
    let holders = async |roles: &[&str]| {
        let roles: Vec<Role> = roles.iter().map(|role| Role::new(role)).collect();
        let found = directory.holders(&roles).await.unwrap();
        found.iter().map(|who| format!("{} {} {}", who.team, who.user, who.name)).collect::<Vec<_>>()
    };
    let (anna, bert, olga) = ("T0LOCAL U0APPROVER Anna", "T0LOCAL U0BOTH Bert", "T0LOCAL U0OPERATOR Olga");
    assert_eq!(holders(&["operator"]).await, [anna, bert, olga]);
    assert_eq!(holders(&["approver"]).await, [anna, bert]);
    assert_eq!(holders(&["approver", "operator"]).await, [anna, bert, olga], "each once");
    assert_eq!(holders(&["administrator"]).await, [""; 0]);
    assert_eq!(holders(&[]).await, [""; 0]);
}
