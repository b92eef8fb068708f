// What the exchange with the city says: loaded with a ticket's page.
import { alsoSays } from '.'
import en from './city.en.json'
import zh from './city.zh-CN.json'

alsoSays({ 'zh-CN': zh, en })
