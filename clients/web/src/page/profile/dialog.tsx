// What one wants to be known by: everywhere, or in a workspace.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { errorOf } from "../../antiphon";
import type { Profile } from "../../gen/antiphon/auth/v1/profile_pb";
import type { Desk } from "../desk";
import { Dialog, Notice, Spinner } from "../parts";
import { sentenceOf } from "../words";
import { fieldsOf, linesOf, written, zoneHere, zones } from "./words";

const PATHS = ["callName", "locale", "timeZone", "preferences", "fields"];
const EVERYWHERE = "";

interface Found {
  own: Profile;
  effective: Profile;
}

/** Reads and sets the caller's profile of a place. */
export function ProfileDialog({ desk, onClose }: { desk: Desk; onClose: () => void }): JSX.Element {
  const { profiles } = desk.session.stubs;
  const [place, setPlace] = useState(EVERYWHERE);
  const [found, setFound] = useState<Found>();
  const [told, setTold] = useState("");
  const [error, setError] = useState("");
  const load = (workspaceId: string) =>
    profiles.getProfile({ workspaceId }).then(
      ({ profile, effective }) => setFound({ own: profile!, effective: effective! }),
      (thrown) => setError(sentenceOf(thrown)),
    );
  useEffect(() => void load(place), [place]);
  const choose = (workspaceId: string) => {
    setFound(undefined);
    setError("");
    setTold("");
    setPlace(workspaceId);
  };
  const act = async (done: string, call: () => Promise<unknown>) => {
    setError("");
    setTold("");
    try {
      await call();
      setTold(done);
      await load(place);
    } catch (thrown) {
      const isChanged = errorOf(thrown).reason === "ETAG_MISMATCH";
      setError(isChanged ? "It was changed elsewhere meanwhile. Close this, and look at it again." : sentenceOf(thrown));
    }
  };
  const save = (data: FormData, etag: string) =>
    act("It is saved, and holds from the next question on.", () =>
      profiles.updateProfile({
        workspaceId: place,
        callName: `${data.get("callName")}`,
        locale: `${data.get("locale")}`,
        timeZone: `${data.get("timeZone")}`,
        preferences: linesOf(`${data.get("preferences")}`),
        fields: fieldsOf(`${data.get("fields")}`),
        etag,
        updateMask: { paths: PATHS.map(snake) },
      }),
    );
  return (
    <Dialog title="About you" onClose={onClose}>
      <p class="quiet">Models are told of it when you ask them something, so that they know your day, your language and you.</p>
      {error && !found && <Notice text={error} />}
      {desk.workspaces.length > 0 && (
        <label>
          Where
          <select value={place} onChange={(event) => choose(event.currentTarget.value)}>
            <option value={EVERYWHERE}>Everywhere</option>
            {desk.workspaces.map((each) => (
              <option key={each.workspaceId} value={each.workspaceId}>
                In {each.displayName} alone
              </option>
            ))}
          </select>
        </label>
      )}
      {!found && !error && <Spinner label="Loading" />}
      {found && (
        <ProfileForm
          key={`${place} ${found.own.etag}`}
          {...found}
          onSave={(data) => save(data, found.own.etag)}
          onClear={() => act("It is taken away.", () => profiles.deleteProfile({ workspaceId: place, etag: found.own.etag }))}
        >
          {error && <Notice text={error} />}
          <p role="status" class="quiet">
            {told}
          </p>
        </ProfileForm>
      )}
    </Dialog>
  );
}

/** What can be set; `children` stand above its buttons, where one looks then. */
function ProfileForm(
  props: Found & { onSave: (data: FormData) => Promise<void>; onClear: () => Promise<void>; children: ComponentChildren },
): JSX.Element {
  const { own, effective } = props;
  const [zone, setZone] = useState(own.timeZone);
  const here = zoneHere();
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    void props.onSave(new FormData(event.currentTarget as HTMLFormElement));
  };
  return (
    <form onSubmit={submit}>
      <label>
        Call me
        <input name="callName" defaultValue={own.callName} placeholder={effective.callName} maxLength={64} dir="auto" autocomplete="nickname" />
      </label>
      <label>
        Language
        <input name="locale" defaultValue={own.locale} placeholder={effective.locale || "de, pt-BR, …"} maxLength={64} spellcheck={false} list="profile-locales" />
      </label>
      <datalist id="profile-locales">
        {navigator.languages.map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      <label>
        Time zone
        <input
          name="timeZone"
          value={zone}
          onInput={(event) => setZone(event.currentTarget.value)}
          placeholder={effective.timeZone || "Europe/Berlin"}
          maxLength={64}
          spellcheck={false}
          list="profile-zones"
        />
      </label>
      <datalist id="profile-zones">
        {zones().map((each) => (
          <option key={each} value={each} />
        ))}
      </datalist>
      {zone !== here && (
        <button type="button" class="link" onClick={() => setZone(here)}>
          Take this browser's: {here}
        </button>
      )}
      <label>
        What I like, a line each
        <textarea name="preferences" rows={3} dir="auto" defaultValue={own.preferences.join("\n")} placeholder={effective.preferences.join("\n") || "short answers"} />
      </label>
      <label>
        Fields for programs and routes, as key=value; models see none
        <textarea name="fields" rows={2} spellcheck={false} defaultValue={written(own.fields)} placeholder={written(effective.fields) || "team=blue"} />
      </label>
      {props.children}
      <div class="row end">
        {own.etag !== "none" && (
          <button type="button" onClick={() => void props.onClear()}>
            Take it away
          </button>
        )}
        <button type="submit" class="primary">
          Save
        </button>
      </div>
    </form>
  );
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
