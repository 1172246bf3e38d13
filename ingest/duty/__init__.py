"""Who is on duty, and when: rosters of teams."""
