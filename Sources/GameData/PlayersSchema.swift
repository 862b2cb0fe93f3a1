/// The tables of boards, loadouts, and of what was said about results that were refused.
enum PlayersSchema {
    // Who was first to a rating stands before who came to it later, so the moment is kept with the rating. A result has
    // who reported it; what contradicts a stored one is kept beside it, for a person to look at.
    static let boardsAndLoadouts = """
        ALTER TABLE ratings ADD COLUMN reached_at BIGINT NOT NULL DEFAULT 0;
        UPDATE ratings SET reached_at = updated_at;
        DROP INDEX ratings_by_mode;
        CREATE INDEX ratings_by_mode ON ratings (mode, rating DESC, reached_at, player_id);
        ALTER TABLE season_ratings ADD COLUMN reached_at BIGINT NOT NULL DEFAULT 0;
        DROP INDEX season_ratings_by_mode;
        CREATE INDEX season_ratings_by_mode ON season_ratings (season, mode, rating DESC, reached_at, player_id);
        CREATE INDEX rating_changes_by_player ON rating_changes (player_id, mode, changed_at, match_id);
        CREATE TABLE loadouts (
            player_id TEXT NOT NULL,
            character TEXT NOT NULL,
            skin TEXT NOT NULL,
            changed_at BIGINT NOT NULL,
            PRIMARY KEY (player_id, character)
        );
        ALTER TABLE match_results ADD COLUMN reported_by TEXT NOT NULL DEFAULT '';
        CREATE TABLE result_conflicts (
            match_id TEXT NOT NULL REFERENCES matches (match_id),
            body TEXT NOT NULL,
            reported_by TEXT NOT NULL,
            reported_at BIGINT NOT NULL,
            settled_at BIGINT,
            settled_by TEXT,
            PRIMARY KEY (match_id, body)
        );
        CREATE INDEX result_conflicts_by_time ON result_conflicts (reported_at, match_id);
        """
}
