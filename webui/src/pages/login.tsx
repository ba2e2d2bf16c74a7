import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { fieldErrors } from '../i18n/problem';
import { Banner } from '../parts/banner';
import { Button } from '../parts/button';
import { DoorPage } from '../parts/door';
import { Form, Input } from '../parts/field';
import { expired, logIn } from '../state/session';
import { useTask } from '../state/task';

export function LogIn() {
	const [username, setUsername] = useState('');
	const [password, setPassword] = useState('');
	const task = useTask();
	const errors = fieldErrors(task.error);
	return (
		<DoorPage title={t.login.title}>
			{expired.value && <Banner kind="info">{t.login.expired}</Banner>}
			<Form
				label={t.login.title}
				onSubmit={() => task.run(() => logIn(username, password))}
				error={task.error}
			>
				<Input
					label={t.login.username}
					error={errors['/username']}
					value={username}
					onValue={setUsername}
					required
					autocomplete="username"
					autofocus
				/>
				<Input
					label={t.login.password}
					error={errors['/password']}
					type="password"
					value={password}
					onValue={setPassword}
					required
					autocomplete="current-password"
				/>
				<Button submit variant="primary" busy={task.busy}>
					{t.login.submit}
				</Button>
			</Form>
		</DoorPage>
	);
}
